alias Elem = f32;
// What rms_norm.wgsl computes, without workgroup memory and barriers, for adapters in software: four lanes own a head.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
override width: u32;
override epsilon: f32;
override heads: u32;
override x_stride: u32;
override x_offset: u32;

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.y * x_stride + x_offset + group.x * width;
    let out_start = (group.y * heads + group.x) * width;
    var squares = 0.0;
    for (var i = lane % SUM_STRIDE; i < width; i += SUM_STRIDE) {
        let value = f32(x[start + i]);
        squares += value * value;
    }
    let factor = inverseSqrt(sum_of_lanes(squares) / f32(width) + epsilon);
    for (var i = lane; i < width; i += 4u) {
        out[out_start + i] = Elem(f32(x[start + i]) * factor * weight[i]);
    }
}
