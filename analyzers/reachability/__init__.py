"""The engine: which endpoint can reach which, on sets, with nothing ever pair by pair."""
