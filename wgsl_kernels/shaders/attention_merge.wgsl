alias Elem = f32;
// Puts the parts of attention_split.wgsl together: each split's values, faded to the largest score of all, over the sum
// of the weights. A workgroup owns a head.
const WG: u32 = 64u;
const TILE: u32 = 128u; // rows that a split walks at a time
override heads: u32;
override head_dim: u32;
override window: u32;
override splits: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> mixes: array<f32>;      // [splits, heads, head_dim]
@group(0) @binding(2) var<storage, read> sums: array<vec2<f32>>; // [splits, heads] of (largest score, sum)
@group(0) @binding(3) var<storage, read_write> out: array<Elem>; // [1, heads * head_dim]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let end = step.past + 1u;
    let seen = select(end, min(end, window), window != 0u);
    let live = min((seen + TILE - 1u) / TILE, splits);
    var best = sums[head].x;
    for (var s = 1u; s < live; s++) {
        best = max(best, sums[s * heads + head].x);
    }
    for (var d = lane; d < head_dim; d += WG) {
        var total = 0.0;
        var mix = 0.0;
        for (var s = 0u; s < live; s++) {
            let part = sums[s * heads + head];
            let fade = exp(part.x - best);
            total += fade * part.y;
            mix += fade * mixes[(s * heads + head) * head_dim + d];
        }
        out[head * head_dim + d] = Elem(mix / total);
    }
}
