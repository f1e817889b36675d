"""What a board is and can be asked to do: what each action lets it see, and the interfaces that drivers implement."""
