"""Stage programs: each reads files, calls the library, writes files and logs."""
