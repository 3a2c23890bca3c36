"""What the tests of real processes share: a hub to break, agents that write down what they saw, and a judge of their logs."""
