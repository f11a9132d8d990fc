"""What is told of a running server: log lines, metrics, traces, events, errors.

Its law: nobody's words and no secret leave here, only names, numbers and positions;
nothing here fails or holds up the work it tells of; what is off is not even imported.
"""
