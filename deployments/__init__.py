"""Where the flows run: deployments, images, and the sandbox for a laptop."""
