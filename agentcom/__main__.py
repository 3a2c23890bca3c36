"""``python -m agentcom``: the same command line as the installed ``agentcom``."""

from agentcom.cli.main import main

if __name__ == "__main__":
    main()
