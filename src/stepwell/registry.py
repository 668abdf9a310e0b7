"""The tables of what can be asked for by name; a row is loaded only when it is asked for."""

PASSES: dict[str, str] = {
}
