"""Who is called what inside the composed platform: the names and ports that docker-compose.yml gives its containers."""

MONGO = "mongo:27017"
BROKER = "rabbitmq:5672"
MANAGEMENT = "http://rabbitmq:15672"
ADMINISTRATOR = "admin"
"""The name of the first account on both servers."""
