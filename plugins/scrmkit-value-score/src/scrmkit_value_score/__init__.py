"""Value score (价值分) from 0 to 100, with an additive explanation."""
