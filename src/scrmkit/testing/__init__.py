"""What tests of scrmkit and of its plugins are made with; needs ``scrmkit[testing]``."""
