"""The words of mails: what counts, how it looks, and other words in its place."""
