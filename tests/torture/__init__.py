"""Starts that are killed, servers that crash, readers in the way: what must hold afterwards does.

make torture                                   # rounds for a minute, seeds printed
make torture TORTURE_ARGS="--rounds 1 --seed 42"   # one round again
"""
