"""Small parts that show one value and say what was pressed; they never see the desk."""
