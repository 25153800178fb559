"""The command tree: the same commands after ``jupyter mlops`` and after ``%mlops``.

Commands import what they need when they are called, so that help and completion stay quick.
"""
