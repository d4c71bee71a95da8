#!/bin/bash
# An evaluation that 64 processes share. It goes on where it was when it is queued again.
#SBATCH --job-name=evaluate
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

# With srun instead of mpirun: srun --mpi=pmix motionfit ...
mpirun motionfit evaluate --motions clips/ --threads "$SLURM_CPUS_PER_TASK" --out out/evaluation --resume
