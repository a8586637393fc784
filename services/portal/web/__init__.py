"""What every page needs: who is there, what forms carry, how a page is written and sent."""
