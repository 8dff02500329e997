"""Figure 7: a static residual block and a dynamic steerable one."""
