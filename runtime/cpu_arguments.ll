; The arguments of a launch, read where Python's objects have them and packed; cpu_launch.ll goes on
; from there, and cpu_launch.py repeats these structs.

; the pool or null, its hand(pool, job) and run(pool, job)
%Workers = type { ptr, ptr, ptr }
; when the last launch ended; offset of the type in an object, bytes of an object's head, number of
; the clock; workers; "key", "address", "shape"
%Common = type { i64, i64, i64, i64, ptr, ptr, ptr, ptr }
; kind, number of the argument, its type, its dtype or key, or itself; dimensions or bytes; flags, of which the
; mask is looked at, or the least integer and the largest; the word that it is packed into
%Row = type { i64, i64, ptr, ptr, i64, i64, i64, i64 }
; common, rows, packed words, launch records, entry, counter of prints or null, ns that a block
; takes, job; busy, arguments, rows, blocks, helpers; ns that a launch takes alone, and with helpers,
; number of the last launch that could be either, up to 1023
%Site = type { ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, i64, i64, i64, i64, i64, [2 x double], i64 }
; of NumPy's C interface, behind an object's head: data, dimensions, sizes, strides, base, dtype,
; flags
%Array = type { ptr, i32, ptr, ptr, ptr, ptr, i32 }

declare i64 @PyLong_AsUnsignedLongLong(ptr)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyTuple_GetItem(ptr, i64)
declare void @Py_DecRef(ptr)

; Whether all arguments are of the kinds that the rows say, and are packed now.
define private i1 @pack_all(ptr %site, ptr %args) nounwind {
begin:
  %common = load ptr, ptr %site
  %rows.at = getelementptr %Site, ptr %site, i32 0, i32 1
  %rows = load ptr, ptr %rows.at
  %count.at = getelementptr %Site, ptr %site, i32 0, i32 10
  %count = load i64, ptr %count.at
  %words.at = getelementptr %Site, ptr %site, i32 0, i32 2
  %words = load ptr, ptr %words.at
  %type.at.at = getelementptr %Common, ptr %common, i32 0, i32 1
  %type.at = load i64, ptr %type.at.at
  br label %head

head:
  %i = phi i64 [ 0, %begin ], [ %after, %next ]
  %more = icmp ult i64 %i, %count
  br i1 %more, label %one, label %good

one:
  %row = getelementptr %Row, ptr %rows, i64 %i
  %number.at = getelementptr %Row, ptr %row, i32 0, i32 1
  %number = load i64, ptr %number.at
  %arg.at = getelementptr ptr, ptr %args, i64 %number
  %arg = load ptr, ptr %arg.at
  %its.type.at = getelementptr i8, ptr %arg, i64 %type.at
  %its.type = load ptr, ptr %its.type.at
  %type.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 2
  %type.wanted = load ptr, ptr %type.wanted.at
  %same = icmp eq ptr %its.type, %type.wanted
  br i1 %same, label %kinds, label %bad

kinds:
  %word.at = getelementptr %Row, ptr %row, i32 0, i32 7
  %word = load i64, ptr %word.at
  %to = getelementptr i64, ptr %words, i64 %word
  %kind = load i64, ptr %row
  switch i64 %kind, label %bad [ i64 0, label %host
                                 i64 1, label %device
                                 i64 2, label %float
                                 i64 3, label %int
                                 i64 4, label %scalar
                                 i64 5, label %constant ]

host:
  %host.good = call i1 @pack_host(ptr %common, ptr %row, ptr %arg, ptr %to)
  br i1 %host.good, label %next, label %bad

device:
  %device.good = call i1 @pack_device(ptr %common, ptr %row, ptr %arg, ptr %to)
  br i1 %device.good, label %next, label %bad

float:
  %float.good = call i1 @pack_float(ptr %row, ptr %arg, ptr %to)
  br i1 %float.good, label %next, label %bad

int:
  %int.good = call i1 @pack_int(ptr %row, ptr %arg, ptr %to)
  br i1 %int.good, label %next, label %bad

scalar:                                           ; of NumPy: its value follows the object's head
  %head.size.at = getelementptr %Common, ptr %common, i32 0, i32 2
  %head.size = load i64, ptr %head.size.at
  %value.at = getelementptr i8, ptr %arg, i64 %head.size
  %bytes.at = getelementptr %Row, ptr %row, i32 0, i32 4
  %bytes = load i64, ptr %bytes.at
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %value.at, i64 %bytes, i1 false)
  br label %next

constant:                                         ; of the code: it has to be the same object
  %constant.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 3
  %constant.wanted = load ptr, ptr %constant.wanted.at
  %is.it = icmp eq ptr %arg, %constant.wanted
  br i1 %is.it, label %next, label %bad

next:
  %after = add i64 %i, 1
  br label %head

good:
  ret i1 true

bad:
  ret i1 false
}

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; An array of NumPy's: its address and sizes.
define private i1 @pack_host(ptr %common, ptr %row, ptr %arg, ptr %to) nounwind {
begin:
  %head.size.at = getelementptr %Common, ptr %common, i32 0, i32 2
  %head.size = load i64, ptr %head.size.at
  %array = getelementptr i8, ptr %arg, i64 %head.size
  %dtype.at = getelementptr %Array, ptr %array, i32 0, i32 5
  %dtype = load ptr, ptr %dtype.at
  %dtype.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 3
  %dtype.wanted = load ptr, ptr %dtype.wanted.at
  %dtype.fits = icmp eq ptr %dtype, %dtype.wanted
  %rank.at = getelementptr %Array, ptr %array, i32 0, i32 1
  %rank.short = load i32, ptr %rank.at
  %rank = sext i32 %rank.short to i64
  %rank.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 4
  %rank.wanted = load i64, ptr %rank.wanted.at
  %rank.fits = icmp eq i64 %rank, %rank.wanted
  %flags.at = getelementptr %Array, ptr %array, i32 0, i32 6
  %flags.short = load i32, ptr %flags.at
  %flags.all = zext i32 %flags.short to i64
  %mask.at = getelementptr %Row, ptr %row, i32 0, i32 6
  %mask = load i64, ptr %mask.at
  %flags = and i64 %flags.all, %mask
  %flags.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 5
  %flags.wanted = load i64, ptr %flags.wanted.at
  %flags.fit = icmp eq i64 %flags, %flags.wanted
  %both = and i1 %dtype.fits, %rank.fits
  %fits = and i1 %both, %flags.fit
  br i1 %fits, label %copy, label %bad

copy:
  %data = load i64, ptr %array
  store i64 %data, ptr %to
  %sizes.at = getelementptr %Array, ptr %array, i32 0, i32 2
  %sizes = load ptr, ptr %sizes.at
  %sizes.to = getelementptr i64, ptr %to, i64 1
  %bytes = shl i64 %rank, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %sizes.to, ptr %sizes, i64 %bytes, i1 false)
  ret i1 true

bad:
  ret i1 false
}

; An array of ours: the same, of its attributes.
define private i1 @pack_device(ptr %common, ptr %row, ptr %arg, ptr %to) nounwind {
begin:
  %key.name.at = getelementptr %Common, ptr %common, i32 0, i32 5
  %key.name = load ptr, ptr %key.name.at
  %key = call ptr @PyObject_GetAttr(ptr %arg, ptr %key.name)
  call void @Py_DecRef(ptr %key)                  ; the array holds it
  %key.wanted.at = getelementptr %Row, ptr %row, i32 0, i32 3
  %key.wanted = load ptr, ptr %key.wanted.at
  %fits = icmp eq ptr %key, %key.wanted
  br i1 %fits, label %copy, label %bad

copy:
  %address.name.at = getelementptr %Common, ptr %common, i32 0, i32 6
  %address.name = load ptr, ptr %address.name.at
  %address = call ptr @PyObject_GetAttr(ptr %arg, ptr %address.name)
  %data = call i64 @PyLong_AsUnsignedLongLong(ptr %address)
  call void @Py_DecRef(ptr %address)
  store i64 %data, ptr %to
  %shape.name.at = getelementptr %Common, ptr %common, i32 0, i32 7
  %shape.name = load ptr, ptr %shape.name.at
  %shape = call ptr @PyObject_GetAttr(ptr %arg, ptr %shape.name)
  %rank.at = getelementptr %Row, ptr %row, i32 0, i32 4
  %rank = load i64, ptr %rank.at
  br label %head

head:
  %d = phi i64 [ 0, %copy ], [ %after, %one ]
  %more = icmp ult i64 %d, %rank
  br i1 %more, label %one, label %good

one:
  %item = call ptr @PyTuple_GetItem(ptr %shape, i64 %d)
  %size = call i64 @PyLong_AsUnsignedLongLong(ptr %item)
  %after = add i64 %d, 1
  %size.to = getelementptr i64, ptr %to, i64 %after
  store i64 %size, ptr %size.to
  br label %head

good:
  call void @Py_DecRef(ptr %shape)
  ret i1 true

bad:
  ret i1 false
}

; A float of Python's, as f64 or, if it is not too large, as f32.
define private i1 @pack_float(ptr %row, ptr %arg, ptr %to) nounwind {
begin:
  %value = call double @PyFloat_AsDouble(ptr %arg)
  %bytes.at = getelementptr %Row, ptr %row, i32 0, i32 4
  %bytes = load i64, ptr %bytes.at
  %double = icmp eq i64 %bytes, 8
  br i1 %double, label %long, label %short

long:
  store double %value, ptr %to
  ret i1 true

short:
  %rounded = fptrunc double %value to float
  store float %rounded, ptr %to
  %magnitude = call double @llvm.fabs.f64(double %value)
  %large = fcmp ogt double %magnitude, 0x47EFFFFFE0000000
  %infinite = fcmp oeq double %magnitude, 0x7FF0000000000000
  %small = xor i1 %large, true
  %good = or i1 %small, %infinite
  ret i1 %good
}

declare double @llvm.fabs.f64(double)

; An integer of Python's inside the limits of its kind.
define private i1 @pack_int(ptr %row, ptr %arg, ptr %to) nounwind {
begin:
  %overflow = alloca i32
  %value = call i64 @PyLong_AsLongLongAndOverflow(ptr %arg, ptr %overflow)
  %over = load i32, ptr %overflow
  %least.at = getelementptr %Row, ptr %row, i32 0, i32 5
  %least = load i64, ptr %least.at
  %largest.at = getelementptr %Row, ptr %row, i32 0, i32 6
  %largest = load i64, ptr %largest.at
  store i64 %value, ptr %to
  %fits = icmp eq i32 %over, 0
  %above = icmp sge i64 %value, %least
  %below = icmp sle i64 %value, %largest
  %inside = and i1 %above, %below
  %good = and i1 %fits, %inside
  ret i1 %good
}
