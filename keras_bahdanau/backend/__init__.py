"""What each backend of Keras needs: gradients, loops, compilation, indexing."""
