"""Recording what breaks: the stage, the scenes, and what is done to lines afterwards."""
