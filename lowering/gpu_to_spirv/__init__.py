"""From the shader level to the spirv dialect: one module with one entry point per kernel."""
