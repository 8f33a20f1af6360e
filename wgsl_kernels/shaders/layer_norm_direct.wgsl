alias Elem = f32;
// What layer_norm.wgsl computes, without workgroup memory and barriers, for adapters in software: four lanes own a row.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
override width: u32;
override epsilon: f32;

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * width;
    var sum = 0.0;
    for (var i = lane % SUM_STRIDE; i < width; i += SUM_STRIDE) {
        sum += f32(x[start + i]);
    }
    let mean = sum_of_lanes(sum) / f32(width);
    var squares = 0.0;
    for (var i = lane % SUM_STRIDE; i < width; i += SUM_STRIDE) {
        let centred = f32(x[start + i]) - mean;
        squares += centred * centred;
    }
    let factor = inverseSqrt(sum_of_lanes(squares) / f32(width) + epsilon);
    for (var i = lane; i < width; i += 4u) {
        out[start + i] = Elem((f32(x[start + i]) - mean) * factor * weight[i] + bias_at(i));
    }
}
