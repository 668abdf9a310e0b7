#version 450
// Vectors, matrices, swizzles and functions of the extended set.
layout(local_size_x = 32) in;
struct Particle { vec3 position; float mass; vec3 velocity; int kind; };
layout(std430, binding = 0) buffer Particles { Particle particles[]; };
layout(std140, binding = 1) uniform Scene { mat4 view; vec4 wind; int steps; };

void main() {
    Particle p = particles[gl_GlobalInvocationID.x];
    vec4 at = view * vec4(p.position, 1.0);
    for (int s = 0; s < steps; ++s) {
        vec3 force = cross(wind.xyz, at.yzx) / max(p.mass, 1e-3);
        p.velocity += force * inversesqrt(dot(force, force) + 1.0);
        p.position = mix(p.position, p.position + p.velocity.zyx, 0.5);
    }
    int exponent;
    float significand = frexp(p.mass, exponent);
    p.mass = ldexp(significand, clamp(exponent, -10, 10));
    p.kind = p.mass > 1.0 && any(greaterThan(p.velocity, vec3(0.0))) ? 1 : findMSB(p.kind);
    particles[gl_GlobalInvocationID.x] = p;
}
