"""The words of security phrases: short, friendly, easy to tell apart."""

from __future__ import annotations

_ADJECTIVES = """
    able amber ancient arctic autumn azure bold brave breezy bright brisk bronze calm candid
    careful cheerful clever cobalt coral cosmic cosy crimson crisp curious daring dapper eager early
    earnest electric elegant emerald fair famous fearless festive fluent fond frank fresh friendly
    frosty gentle giant glad golden graceful grand happy hardy hazel honest humble icy idle indigo
    ivory jade jolly jovial keen kind late lively loyal lucky lunar maple marble mellow merry mighty
    misty modest neat nimble noble olive patient pearl polite proud quick quiet rapid royal rustic
    scarlet serene silent silver sincere sleek smooth solar spry steady stellar sturdy sunny swift
    tender tidy topaz tranquil vivid warm wise witty zesty
"""

_NOUNS = """
    acorn anchor anvil apple arrow badger bakery beacon bell birch bison boulder bridge brook
    canyon castle cedar cherry cliff cloud comet compass copper cottage crane creek crystal daisy
    dolphin dragon drum eagle ember falcon feather fern fiddle finch fjord forest fountain fox
    garden glacier goose grove gull hammer harbour hawk hazelnut hedge heron hill island jaguar kite
    lagoon lantern lark laurel lemon lily lynx mango maple meadow melon mill mirror moon moss nest
    oak oasis ocean orchard otter owl oyster panda parrot pebble pepper pigeon pine planet plum pond
    poppy prairie puffin quarry quill rabbit raven reef ridge river robin rocket salmon sapling
    shell sparrow spruce squirrel stone swan teapot thicket thistle tiger tulip turtle valley violin
    walnut willow windmill wren
"""

PHRASES = (_ADJECTIVES.split(), _NOUNS.split())
