"""Exams: registrations, appointments, results and their revisions, from every vendor."""
