; What all kernels of the CPU share: how a thread comes by the blocks that it runs, and how a failed
; check or a print gets into the report buffer. A kernel's own code is the function of one block,
;
;   i32 @k(ptr %args, ptr %launch, i64 %x, i64 %y, i64 %z)       0, or 1 where a check has failed
;
; `args` has 8 bytes for each parameter. cpu_kernel.py has the launch record, report.py the buffer.

; grid, block size; all blocks, blocks of a claim, next block, failed; report buffer, bytes of
; dynamic shared memory; the function of a block, whether it stores past the caches
%Launch = type { [3 x i64], [3 x i64], i64, i64, i64, i64, i64, i64, ptr, i64 }

; --- run blocks until there are none or a check has failed; 0, or 1 where one failed here -----------

; Several threads do this at once. Within a claim the ids of blocks are counted up, not divided.
define i32 @stepwell_run_blocks(ptr %args, ptr %launch) nounwind {
begin:
  %width = load i64, ptr %launch
  %height.at = getelementptr %Launch, ptr %launch, i32 0, i32 0, i32 1
  %height = load i64, ptr %height.at
  %total.at = getelementptr %Launch, ptr %launch, i32 0, i32 2
  %total = load i64, ptr %total.at
  %claim.at = getelementptr %Launch, ptr %launch, i32 0, i32 3
  %claim.size = load i64, ptr %claim.at
  %next = getelementptr %Launch, ptr %launch, i32 0, i32 4
  %failed.at = getelementptr %Launch, ptr %launch, i32 0, i32 5
  %function.at = getelementptr %Launch, ptr %launch, i32 0, i32 8
  %function = load ptr, ptr %function.at
  br label %claim

claim:
  %others.failed = load atomic i64, ptr %failed.at monotonic, align 8
  %first = atomicrmw add ptr %next, i64 %claim.size monotonic, align 8
  %none = icmp uge i64 %first, %total
  %stopped = icmp ne i64 %others.failed, 0
  %over = or i1 %none, %stopped
  br i1 %over, label %end, label %split

split:
  %whole = add i64 %first, %claim.size
  %last = icmp ult i64 %whole, %total
  %after = select i1 %last, i64 %whole, i64 %total
  %first.row = udiv i64 %first, %width
  %before = mul i64 %first.row, %width
  %first.x = sub i64 %first, %before
  %first.z = udiv i64 %first.row, %height
  %rows = mul i64 %first.z, %height
  %first.y = sub i64 %first.row, %rows
  br label %run

run:
  %block = phi i64 [ %first, %split ], [ %block.next, %well ]
  %x = phi i64 [ %first.x, %split ], [ %x.next, %well ]
  %y = phi i64 [ %first.y, %split ], [ %y.next, %well ]
  %z = phi i64 [ %first.z, %split ], [ %z.next, %well ]
  %status = call i32 %function(ptr %args, ptr %launch, i64 %x, i64 %y, i64 %z)
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %well, label %failed

well:
  %block.next = add i64 %block, 1
  %x.one = add i64 %x, 1
  %x.wraps = icmp eq i64 %x.one, %width
  %x.next = select i1 %x.wraps, i64 0, i64 %x.one
  %x.carry = zext i1 %x.wraps to i64
  %y.one = add i64 %y, %x.carry
  %y.wraps = icmp eq i64 %y.one, %height
  %y.next = select i1 %y.wraps, i64 0, i64 %y.one
  %y.carry = zext i1 %y.wraps to i64
  %z.next = add i64 %z, %y.carry
  %more = icmp ult i64 %block.next, %after
  br i1 %more, label %run, label %claim

failed:
  store atomic i64 1, ptr %failed.at monotonic, align 8
  br label %end

end:                                              ; others have to see what went past the caches
  %result = phi i32 [ 0, %claim ], [ 1, %failed ]
  %streams.at = getelementptr %Launch, ptr %launch, i32 0, i32 9
  %streams = load i64, ptr %streams.at
  %cached = icmp eq i64 %streams, 0
  br i1 %cached, label %done, label %wait

wait:
  call void @await.stores()                       ; of the processor: shared_text (cpu_code.py)
  br label %done

done:
  ret i32 %result
}

; --- a record of a failed check or a print, with up to two values -----------------------------------

; `kind` is 0 for a failed check, 1 for one in a kernel that prints, 2 for a print. Words are reserved
; by an atomic addition; a record that does not fit is dropped, and the host sees that.
define void @stepwell_report(ptr %report, i32 %site, i32 %kind, i32 %count,
                             i64 %block.x, i64 %block.y, i64 %block.z,
                             i64 %thread.x, i64 %thread.y, i64 %thread.z,
                             i64 %value, i64 %other) nounwind {
begin:
  %prints = icmp eq i32 %kind, 2
  %counter.word = select i1 %prints, i64 2, i64 0
  %counter = getelementptr i32, ptr %report, i64 %counter.word
  %used = load atomic i32, ptr %counter monotonic, align 4
  %full = icmp slt i32 %used, 0                   ; so that endless printing does not wrap it
  br i1 %full, label %end, label %reserve

reserve:
  %pairs = shl i32 %count, 1
  %words = add i32 %pairs, 7
  %first = atomicrmw add ptr %counter, i32 %words monotonic, align 4
  %capacity.at = getelementptr i32, ptr %report, i64 1
  %capacity = load i32, ptr %capacity.at
  %alone = icmp eq i32 %kind, 0
  %quarter = lshr i32 %capacity, 2                ; failed checks have it to themselves
  %rest = sub i32 %capacity, %quarter
  %failures = select i1 %alone, i32 %capacity, i32 %quarter
  %room = select i1 %prints, i32 %rest, i32 %failures
  %before = select i1 %prints, i32 %quarter, i32 0
  %last = add i32 %first, %words
  %fits = icmp ule i32 %last, %room
  br i1 %fits, label %write, label %end

write:
  %place = add i32 %first, %before
  %behind.header = add i32 %place, 4
  %word = zext i32 %behind.header to i64
  %record = getelementptr i32, ptr %report, i64 %word
  store i32 %site, ptr %record
  call void @put(ptr %record, i64 1, i64 %block.x)
  call void @put(ptr %record, i64 2, i64 %block.y)
  call void @put(ptr %record, i64 3, i64 %block.z)
  call void @put(ptr %record, i64 4, i64 %thread.x)
  call void @put(ptr %record, i64 5, i64 %thread.y)
  call void @put(ptr %record, i64 6, i64 %thread.z)
  %has.value = icmp ne i32 %count, 0
  br i1 %has.value, label %one, label %end

one:
  %value.at = getelementptr i32, ptr %record, i64 7
  store i64 %value, ptr %value.at, align 4
  %has.other = icmp ne i32 %count, 1
  br i1 %has.other, label %two, label %end

two:
  %other.at = getelementptr i32, ptr %record, i64 9
  store i64 %other, ptr %other.at, align 4
  br label %end

end:
  ret void
}

define private void @put(ptr %record, i64 %word, i64 %id) nounwind {
  %at = getelementptr i32, ptr %record, i64 %word
  %short = trunc i64 %id to i32
  store i32 %short, ptr %at
  ret void
}
