"""What differs between the backends of Keras: numerics, loops, compilation, indexing."""
