"""Behaviours stack of an urban automated vehicle: predict, generate, score, select, hand to the controller."""

# behaviors_ros.msg is generated and installed elsewhere when this package is imported from the source tree
# (editable install, pytest from the checkout): look there as well.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
