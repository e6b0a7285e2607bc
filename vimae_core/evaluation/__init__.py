"""What a trained model is worth: its latent fit, its features, its samples, its information."""
