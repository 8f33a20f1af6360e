// Epilogue of a linear: alpha * sum and a bias if there is one, soft-capped if cap is not 0; f32, whatever Elem is.
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
override cap: f32;

fn epilogue(token: u32, row: u32, sum: f32) {
    out[token * out_stride + column + row] = soft_cap(alpha * sum + bias_at(row), cap);
}
