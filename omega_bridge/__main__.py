"""``python -m omega_bridge``."""

from omega_bridge.cli import main

main()
