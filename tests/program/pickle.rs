//! Writing pickles of dictionaries and NumPy arrays, as NumPy itself does (protocol 2 with binary
//! strings), to make files in the layouts of the data sets.
#![allow(dead_code)] // no test file uses all of it

use std::io::Write;

/// A Python object.
pub enum Object {
    /// A dictionary with string keys.
    Dict(Vec<(String, Object)>),
    /// A list.
    List(Vec<Object>),
    /// An array of float32, C order.
    Array(Vec<usize>, Vec<f32>),
}

/// The pickle of `object`.
pub fn pickle(object: &Object) -> Vec<u8> {
    let mut bytes = b"\x80\x03".to_vec();
    put(object, &mut bytes);
    bytes.push(b'.');
    bytes
}

/// An `.npz` archive with `object` as the array of one object `name`, as `np.savez(path, name=dict)`
/// writes it.
pub fn npz(name: &str, object: &Object) -> Vec<u8> {
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    npy.extend(b"\x80\x03");
    array(&[], b"X\x02\x00\x00\x00O8", &mut npy, |npy| {
        npy.extend(b"](");
        put(object, npy);
        npy.push(b'e');
    });
    npy.push(b'.');
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options: zip::write::SimpleFileOptions = Default::default();
    zip.start_file(format!("{name}.npy"), options).unwrap();
    zip.write_all(&npy).unwrap();
    zip.finish().unwrap().into_inner()
}

fn put(object: &Object, bytes: &mut Vec<u8>) {
    match object {
        Object::Dict(entries) => {
            bytes.extend(b"}(");
            for (key, value) in entries {
                bytes.push(b'X');
                bytes.extend((key.len() as u32).to_le_bytes());
                bytes.extend(key.as_bytes());
                put(value, bytes);
            }
            bytes.push(b'u');
        }
        Object::List(items) => {
            bytes.extend(b"](");
            items.iter().for_each(|item| put(item, bytes));
            bytes.push(b'e');
        }
        Object::Array(shape, values) => array(shape, b"X\x02\x00\x00\x00f4", bytes, |bytes| {
            bytes.push(b'B');
            bytes.extend((4 * values.len() as u32).to_le_bytes());
            values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        }),
    }
}

/// `_reconstruct(ndarray, (0,), b"b")` with the state (1, shape, dtype, False, data).
fn array(shape: &[usize], dtype: &[u8], bytes: &mut Vec<u8>, data: impl Fn(&mut Vec<u8>)) {
    bytes.extend(
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01(",
    );
    for length in shape {
        bytes.push(b'J');
        bytes.extend((*length as i32).to_le_bytes());
    }
    bytes.extend(b"tcnumpy\ndtype\n");
    bytes.extend(dtype);
    bytes.extend(
        b"K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
    );
    data(bytes);
    bytes.extend(b"tb");
}
