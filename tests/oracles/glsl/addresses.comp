#version 450
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
// A list that is walked by addresses.
layout(local_size_x = 1) in;
layout(buffer_reference) buffer Node;
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Node { Node next; uint value; };
layout(push_constant) uniform Parameters { Node first; uint64_t end; };

void main() {
    uint sum = 0u;
    Node node = first;
    while (uint64_t(node) != end) {
        sum += node.value;
        node = node.next;
    }
    first.value = sum;
}
