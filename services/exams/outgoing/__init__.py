"""Files to vendors: who the candidates are, who may sit which exam until when, and what vendors answer."""
