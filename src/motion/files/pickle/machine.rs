//! The stack machine of Python's pickles, which builds a graph of what was saved.
//!
//! Nothing is executed: a class or function that the file names stays a name, and a call of it the record
//! of that call. What they mean, of a list of known ones, is told by [`super::numpy`].

use std::collections::HashMap;

use super::joblib;
use super::objects::{Failure, Graph, Id, Object};
use super::scalars::{long, written};

/// The most objects that are read; a file of arrays has a few hundred.
const MOST_OBJECTS: usize = 2_000_000;

/// What is on the stack: an object or a mark.
#[derive(Clone, Copy)]
enum Slot {
    Object(Id),
    Mark,
}

type Outcome<T> = Result<T, Failure>;

/// Reads the pickle at the beginning of `bytes`.
///
/// # Errors
/// What is wrong with it, in a few words.
pub fn read(bytes: &[u8]) -> Outcome<Graph> {
    let mut machine = Machine {
        bytes,
        at: 0,
        objects: Vec::new(),
        stack: Vec::new(),
        memo: HashMap::new(),
    };
    while machine.step()? {}
    let root = machine.pop()?;
    Ok(Graph {
        objects: machine.objects,
        root,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Slot>,
    memo: HashMap<usize, Id>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let end = self.at.checked_add(count);
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or("the end of the file inside a pickle")?;
        self.at += count;
        Ok(found)
    }

    /// An unsigned little-endian number of `width` bytes.
    fn unsigned(&mut self, width: usize) -> Outcome<usize> {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| "a length beyond memory".into())
    }

    /// A number of bytes that is written before them.
    fn counted(&mut self, width: usize) -> Outcome<&'a [u8]> {
        let count = self.unsigned(width)?;
        self.take(count)
    }

    fn line(&mut self) -> Outcome<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or("the end of the file inside a line")?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    fn text_line(&mut self) -> Outcome<String> {
        Ok(String::from_utf8_lossy(self.line()?).trim().to_string())
    }

    fn add(&mut self, object: Object) -> Outcome<Id> {
        if self.objects.len() >= MOST_OBJECTS {
            return Err(format!("more than {MOST_OBJECTS} objects"));
        }
        self.objects.push(object);
        Ok(self.objects.len() - 1)
    }

    fn push(&mut self, object: Object) -> Outcome<()> {
        let id = self.add(object)?;
        self.put(id)
    }

    fn put(&mut self, id: Id) -> Outcome<()> {
        if self.stack.len() > MOST_OBJECTS {
            return Err(format!("more than {MOST_OBJECTS} objects"));
        }
        self.stack.push(Slot::Object(id));
        Ok(())
    }

    fn pop(&mut self) -> Outcome<Id> {
        match self.stack.pop() {
            Some(Slot::Object(id)) => Ok(id),
            _ => Err("a pickle that takes more than it holds".into()),
        }
    }

    fn top(&self) -> Outcome<Id> {
        match self.stack.last() {
            Some(Slot::Object(id)) => Ok(*id),
            _ => Err("a pickle that takes more than it holds".into()),
        }
    }

    /// Everything above the last mark, which is dropped.
    fn marked(&mut self) -> Outcome<Vec<Id>> {
        let mark = self
            .stack
            .iter()
            .rposition(|slot| matches!(slot, Slot::Mark));
        let mark = mark.ok_or("a pickle without a mark")?;
        let above = self.stack.split_off(mark);
        let ids = above.iter().filter_map(|slot| match slot {
            Slot::Object(id) => Some(*id),
            Slot::Mark => None,
        });
        Ok(ids.collect())
    }

    fn remember(&mut self, at: usize) -> Outcome<()> {
        let top = self.top()?;
        self.memo.insert(at, top);
        Ok(())
    }

    fn recall(&mut self, at: usize) -> Outcome<()> {
        let id = self.memo.get(&at).copied();
        self.put(id.ok_or("a pickle that refers to what it has not")?)
    }

    /// Executes one instruction; whether there are more.
    fn step(&mut self) -> Outcome<bool> {
        let code = self.take(1)?[0];
        match code {
            b'.' => return Ok(false),
            0x80 => {
                self.take(1)?;
            }
            0x95 => {
                self.take(8)?;
            }
            0x98 => {}
            b'(' => self.stack.push(Slot::Mark),
            b'0' => {
                self.stack.pop();
            }
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.top()?;
                self.put(top)?;
            }
            b'g' | b'h' | b'j' | b'p' | b'q' | b'r' | 0x94 => self.memory(code)?,
            b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'i' | b'o' | b'b' | b'P' | b'Q' => {
                self.call(code)?
            }
            b']'
            | b'a'
            | b'e'
            | b'l'
            | b')'
            | b't'
            | 0x85..=0x87
            | b'}'
            | b'd'
            | b's'
            | b'u'
            | 0x8f..=0x91 => self.collect(code)?,
            _ => {
                let object = self.scalar(code)?;
                self.push(object)?;
            }
        }
        Ok(true)
    }

    fn memory(&mut self, code: u8) -> Outcome<()> {
        let at = match code {
            b'g' | b'p' => self
                .text_line()?
                .parse()
                .map_err(|_| "a broken reference")?,
            b'h' | b'q' => self.unsigned(1)?,
            b'j' | b'r' => self.unsigned(4)?,
            _ => self.memo.len(),
        };
        match code {
            b'g' | b'h' | b'j' => self.recall(at),
            _ => self.remember(at),
        }
    }

    /// Numbers and texts.
    fn scalar(&mut self, code: u8) -> Outcome<Object> {
        let text = |bytes: &[u8]| Object::Text(String::from_utf8_lossy(bytes).into_owned());
        Ok(match code {
            b'N' => Object::None,
            0x88 => Object::Bool(true),
            0x89 => Object::Bool(false),
            b'J' => Object::Int((self.unsigned(4)? as u32 as i32).into()),
            b'K' => Object::Int(self.unsigned(1)? as i64),
            b'M' => Object::Int(self.unsigned(2)? as i64),
            0x8a => Object::Int(long(self.counted(1)?)?),
            0x8b => Object::Int(long(self.counted(4)?)?),
            b'I' | b'L' | b'F' | b'S' | b'V' => written(code, &self.text_line()?)?,
            b'G' => {
                let bytes = self.take(8)?.first_chunk().copied().unwrap_or_default();
                Object::Float(f64::from_be_bytes(bytes))
            }
            b'T' | b'B' => Object::Bytes(self.counted(4)?.to_vec()),
            b'U' | b'C' => Object::Bytes(self.counted(1)?.to_vec()),
            0x8e | 0x96 => Object::Bytes(self.counted(8)?.to_vec()),
            b'X' => text(self.counted(4)?),
            0x8c => text(self.counted(1)?),
            0x8d => text(self.counted(8)?),
            _ => {
                return Err(format!(
                    "the byte {code:#04x} where a pickle has an instruction"
                ));
            }
        })
    }

    /// Lists, tuples, dictionaries and sets.
    fn collect(&mut self, code: u8) -> Outcome<()> {
        match code {
            b']' | 0x8f => self.push(Object::List(Vec::new())),
            b')' => self.push(Object::Tuple(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b'l' | 0x91 => {
                let items = self.marked()?;
                self.push(Object::List(items))
            }
            b't' => {
                let items = self.marked()?;
                self.push(Object::Tuple(items))
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..code {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Object::Tuple(items))
            }
            b'd' => {
                let items = self.marked()?;
                self.push(Object::Dict(Vec::new()))?;
                self.extend(&items)
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend(&[key, value])
            }
            _ => {
                let items = self.marked()?; // e, u, 0x90
                self.extend(&items)
            }
        }
    }

    /// Puts items into the collection on top.
    fn extend(&mut self, items: &[Id]) -> Outcome<()> {
        let top = self.top()?;
        match self.objects.get_mut(top) {
            Some(Object::List(list)) => list.extend(items),
            Some(Object::Dict(entries)) => {
                entries.extend(
                    items
                        .as_chunks()
                        .0
                        .iter()
                        .map(|[key, value]| (*key, *value)),
                );
            }
            _ => {} // items of an object of an unknown class
        }
        Ok(())
    }

    /// Names, and calls of them.
    fn call(&mut self, code: u8) -> Outcome<()> {
        match code {
            b'c' => {
                let (module, name) = (self.text_line()?, self.text_line()?);
                self.push(Object::Global(format!("{module} {name}")))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let name = match (&self.objects[module], &self.objects[name]) {
                    (Object::Text(module), Object::Text(name)) => format!("{module} {name}"),
                    _ => return Err("a class without a name".into()),
                };
                self.push(Object::Global(name))
            }
            b'i' | b'o' => Err("an object of an old class".into()),
            b'P' | b'Q' => {
                let id = match code {
                    b'Q' => self.pop()?,
                    _ => {
                        let name = self.text_line()?;
                        self.add(Object::Text(name))?
                    }
                };
                self.push(Object::Persistent(id))
            }
            b'b' => self.build(),
            _ => {
                if code == 0x92 {
                    self.pop()?; // arguments by name
                }
                let (arguments, function) = (self.pop()?, self.pop()?);
                let is_dict = matches!(&self.objects[function], Object::Global(name)
                    if name == "collections OrderedDict" || name == "collections defaultdict");
                self.push(match is_dict {
                    true => Object::Dict(Vec::new()),
                    false => Object::Call {
                        function,
                        arguments,
                        state: None,
                    },
                })
            }
        }
    }

    /// Gives the object on top its state; the numbers of an array of joblib follow then.
    fn build(&mut self) -> Outcome<()> {
        let given = self.pop()?;
        let top = self.top()?;
        let Object::Call {
            function, state, ..
        } = &mut self.objects[top]
        else {
            return Ok(()); // attributes of a dictionary or the like
        };
        *state = Some(given);
        let function = *function;
        if !matches!(&self.objects[function], Object::Global(name) if name == joblib::WRAPPER) {
            return Ok(());
        }
        let wrapper = joblib::Wrapper::read(&self.objects, given)?;
        let padding = match wrapper.is_aligned {
            true => self.unsigned(1)?,
            false => 0,
        };
        self.take(padding)?;
        let bytes = self.take(wrapper.size)?.to_vec();
        self.objects[top] = Object::Inline {
            dtype: wrapper.dtype,
            shape: wrapper.shape,
            fortran: wrapper.fortran,
            bytes,
        };
        Ok(())
    }
}
