"""Every address of the product."""

from django.urls import path, register_converter

from interviews.references import ReferenceConverter

register_converter(ReferenceConverter, "reference")

urlpatterns: list = []
