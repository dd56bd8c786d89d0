"""How the shipped model is made and measured: ``python -m training``. Not part of the installed package."""
