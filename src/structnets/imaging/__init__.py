"""Brain volumes: reading, registration to MNI152, quality control.

Arrays are (X, Y, Z) with voxel axes towards right, anterior and superior (RAS+); affines are
4x4 and lead from voxel indices to millimetres in the same directions, as NIfTI has it. Each
module is imported by itself, since nibabel, nilearn and SimpleITK are heavy.
"""
