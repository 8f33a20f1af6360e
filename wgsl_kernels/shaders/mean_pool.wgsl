alias Elem = f32;
// The mean of each sequence's tokens, or its first token if `first_only`; divided by its L2 norm if `normalize`. A workgroup owns a sequence.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
override width: u32;
override normalize: u32;
override first_only: u32;
override WG: u32 = 256;

fn mean(sequence: u32, i: u32) -> f32 {
    let begin = bounds[sequence];
    let end = select(bounds[sequence + 1u], begin + 1u, first_only != 0u);
    var sum = 0.0;
    for (var token = begin; token < end; token++) {
        sum += f32(x[token * width + i]);
    }
    return sum / max(f32(end - begin), 1.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * width;
    var squares = 0.0;
    for (var i = lane; i < width; i += WG) {
        let value = mean(group.x, i);
        squares += value * value;
        out[start + i] = value;
    }
    if normalize != 0u {
        let factor = 1.0 / max(sqrt(reduce_sum(squares, lane)), 1e-12);
        for (var i = lane; i < width; i += WG) {
            out[start + i] *= factor;
        }
    }
}
