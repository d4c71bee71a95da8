#!/bin/bash
# The tables of an evaluation in shards; rows that a shard has not come to are found now.
#SBATCH --job-name=tables
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
set -eu

motionfit evaluate --motions clips/ --threads "$SLURM_CPUS_PER_TASK" --out out/evaluation --resume
