"""Benchmarks: what is measured, and the simulated worlds it is measured on."""
