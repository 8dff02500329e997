"""Files of unknown origin: what they may ask for, and how they are read without trusting them.

Whatever a stranger wrote, or a copy damaged, is read in one way: the size that it declares is
compared with what is allowed before anything of that size is made (`structnets.foreign.limits`);
its bytes are read to their end and checksum (`structnets.foreign.reading`); and where the library
below can crash or take all memory, it works in a process that may die (`structnets.foreign.apart`).
Each refusal is a `ValueError` of one sentence that names the file and what to do.
"""
