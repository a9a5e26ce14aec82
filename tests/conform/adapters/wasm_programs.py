"""The judge's programs in WebAssembly, by name.

`$s` ends a step, `$f` stands before each call, when its arguments are there, and `$b` before each jump backward.
"""

IMPORTS = """
(import "vm" "s" (func $s)) (import "vm" "f" (func $f)) (import "vm" "b" (func $b)) (import "vm" "print" (func $print (param i32)))
"""

WAT = {
    "loops": """
      (func (export "main") (local $i i32) (local $total i32)
        (call $s)
        (block $end (loop $head
          (br_if $end (i32.ge_s (local.get $i) (i32.const 12)))
          (local.set $total (i32.add (local.get $total) (local.get $i))) (call $s)
          (local.set $i (i32.add (local.get $i) (i32.const 1))) (call $s)
          (call $b) (br $head)))
        (call $print (local.get $total)) (call $s))
    """,
    "calls": """
      (func $one (param $x i32) (result i32) (call $s) (i32.add (local.get $x) (i32.const 1)))
      (func $two (param $x i32) (result i32) (call $s) local.get $x call $f call $one call $f call $one)
      (func $four (param $x i32) (result i32) (call $s) local.get $x call $f call $two call $f call $two)
      (func (export "main") (call $s) i32.const 0 call $f call $four call $f call $four call $print (call $s))
    """,
    "recursive": """
      (func $fib (param $n i32) (result i32)
        (call $s)
        (if (i32.lt_s (local.get $n) (i32.const 2)) (then (return (local.get $n))))
        (call $s)
        (i32.sub (local.get $n) (i32.const 1)) call $f call $fib
        (i32.sub (local.get $n) (i32.const 2)) call $f call $fib
        i32.add)
      (func (export "main") (call $s) i32.const 5 call $f call $fib call $print (call $s))
    """,
    "nested": """
      (func $square (param $x i32) (result i32) (call $s) (i32.mul (local.get $x) (local.get $x)))
      (func (export "main") (local $i i32) (local $j i32) (local $total i32)
        (call $s)
        (block $end (loop $rows
          (br_if $end (i32.ge_s (local.get $i) (i32.const 3)))
          (local.set $j (i32.const 0)) (call $s)
          (block $row (loop $columns
            (br_if $row (i32.ge_s (local.get $j) (i32.const 3)))
            local.get $total (i32.add (local.get $i) (local.get $j)) call $f call $square i32.add local.set $total (call $s)
            (local.set $j (i32.add (local.get $j) (i32.const 1))) (call $s)
            (call $b) (br $columns)))
          (call $print (local.get $total)) (call $s)
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (call $b) (br $rows))))
    """,
    "to-the-limit": """
      (func $down (param $n i32) (result i32) (call $s) (i32.add (local.get $n) (i32.const 1)) call $f call $down)
      (func (export "main") (call $s) i32.const 0 call $f call $down call $print)
    """,
}
