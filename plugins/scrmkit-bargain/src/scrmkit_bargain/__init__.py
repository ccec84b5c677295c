"""Bargain (砍价): friends help, and the price falls."""
