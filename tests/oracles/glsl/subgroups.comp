#version 450
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_shuffle_relative : require
// What the lanes of a subgroup say to each other.
layout(local_size_x = 32) in;
layout(std430, binding = 0) buffer Results { uint results[]; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    uint value = results[i];
    uint sum = subgroupAdd(value);
    uint before = subgroupExclusiveAdd(value);
    uvec4 odd = subgroupBallot((value & 1u) != 0u);
    uint swapped = subgroupShuffleXor(value, 1u);
    uint up = subgroupShuffleUp(value, 1u);
    bool all_odd = subgroupAll((value & 1u) != 0u);
    if (subgroupElect()) results[i] = sum + subgroupBallotBitCount(odd);
    else results[i] = before + swapped + (all_odd ? 1u : 0u) + (gl_SubgroupInvocationID > 0u ? up : 0u);
}
