"""What proves to others what the candidate holds: links, certificates, logos and badges."""
