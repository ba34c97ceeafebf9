"""How every form is drawn."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Labels above, help below, errors tied to their field, a summary on top."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
