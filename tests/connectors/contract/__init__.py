"""What every connector holds to; what one cannot do, its `supports` says and nothing else."""
