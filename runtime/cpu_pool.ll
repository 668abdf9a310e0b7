; The workers of the CPU device: a launch's blocks are handed to threads that wait in this code, so
; that sharing a launch takes neither Python nor its lock. cpu_pool.py has the other half.
;
; The guard and the locks to sleep on are Python's own (PyThread_*): every platform has them, and
; they need no interpreter. A worker that has nothing to do looks for work a while, yielding its
; processor each time, and then sleeps on its lock; whoever has work for it releases that lock.
;
; Everything is kept under the guard, but for two words that are also read without it: `open`, to
; look for work, and `running`, to see that the last helper has gone. The latter is the last thing
; that a helper touches of a job, since the job may be gone right after.

; guard, acquire(lock, wait), release(lock), yield(), stop; open places in all jobs; jobs, idle;
; all workers; processor() and allow(thread, bytes, processors), or nulls, and the processors that
; workers may run on, a bit each
%Pool = type { ptr, ptr, ptr, ptr, i64, [3 x i64], i64, [7 x i64], ptr, ptr, ptr, ptr, ptr, [16 x i64] }
; next idle worker, lock to sleep on, number from 1 on, another worker, the system's number of its
; thread, the processor that it is kept off; its mail, alone in a line of the cache: 0 if it does not
; look, 1 if it does, or a job, which it marks by adding 2 when it begins
%Worker = type { ptr, ptr, i64, ptr, i64, i64, [2 x i64], i64, [7 x i64] }
; next job, entry(packed, launch), its arguments; open places, helpers inside, helpers in all,
; whether one failed, whether the launching thread sleeps, the lock that it sleeps on; launch records
; and bytes from one to the next, how many claims of a record are left to the thread that began it
%Job = type { ptr, ptr, ptr, ptr, i64, i64, i64, i64, i64, ptr, i64, i64, i64 }

; --- run a job: the calling thread takes part and returns when nobody is inside any more ----------

define i32 @stepwell_pool_run(ptr %pool, ptr %job) nounwind {
begin:
  call void @enter(ptr %pool)
  %jobs = getelementptr %Pool, ptr %pool, i32 0, i32 8
  %others = load ptr, ptr %jobs
  store ptr %others, ptr %job
  store ptr %job, ptr %jobs
  %places = getelementptr %Job, ptr %job, i32 0, i32 4
  %wanted = load i64, ptr %places
  %open = getelementptr %Pool, ptr %pool, i32 0, i32 6
  %_0 = atomicrmw add ptr %open, i64 %wanted release
  call void @wake(ptr %pool, i64 %wanted)
  call void @leave(ptr %pool)
  %failed = call i32 @take.part(ptr %job, i64 0)
  call void @enter(ptr %pool)
  br label %search

search:                                           ; take the job out of the list
  %link = phi ptr [ %jobs, %begin ], [ %found, %search ]
  %found = load ptr, ptr %link
  %here = icmp eq ptr %found, %job
  br i1 %here, label %close, label %search        ; `next` is the first field of a job

close:
  %next = load ptr, ptr %job
  store ptr %next, ptr %link
  %left = load i64, ptr %places
  store i64 0, ptr %places
  %_1 = atomicrmw sub ptr %open, i64 %left monotonic
  %running = getelementptr %Job, ptr %job, i32 0, i32 5
  %inside = load i64, ptr %running
  call void @leave(ptr %pool)
  %alone = icmp eq i64 %inside, 0
  br i1 %alone, label %done, label %look

look:                                             ; most helpers are in their last block
  %round = phi i64 [ 0, %close ], [ %after, %again ]
  %now = load atomic i64, ptr %running acquire, align 8
  %empty = icmp eq i64 %now, 0
  br i1 %empty, label %done, label %again

again:
  call void @look.away(ptr %pool, i64 %round)
  %after = add i64 %round, 1
  %long = icmp eq i64 %after, 6400
  br i1 %long, label %fall.asleep, label %look

fall.asleep:
  call void @enter(ptr %pool)
  %still = load i64, ptr %running
  %sleep = icmp ne i64 %still, 0
  %sleeps = getelementptr %Job, ptr %job, i32 0, i32 8
  %flag = zext i1 %sleep to i64
  store i64 %flag, ptr %sleeps
  call void @leave(ptr %pool)
  br i1 %sleep, label %asleep, label %done

asleep:
  %lock.at = getelementptr %Job, ptr %job, i32 0, i32 9
  %lock = load ptr, ptr %lock.at
  call void @acquire(ptr %pool, ptr %lock)
  br label %done

done:
  %one.failed.at = getelementptr %Job, ptr %job, i32 0, i32 7
  %one.failed = load i64, ptr %one.failed.at
  %others.failed = trunc i64 %one.failed to i32
  %result = or i32 %failed, %others.failed
  ret i32 %result
}

; --- hand a job to workers that look for one: what the launch gives, or -1 if nobody does ----------

; A job that takes microseconds: no lock and as few lines of the cache as there can be go from one
; processor to another. A worker that was asked and has not begun when the launching thread is done
; is asked no more, so that only workers in their last blocks are waited for. Records that were left
; to a thread that has not come are for the launching thread.
define i32 @stepwell_pool_hand(ptr %pool, ptr %job) nounwind {
begin:
  %all = getelementptr %Pool, ptr %pool, i32 0, i32 10
  %first = load ptr, ptr %all
  %places = getelementptr %Job, ptr %job, i32 0, i32 4
  %wanted = load i64, ptr %places
  %letter = ptrtoint ptr %job to i64
  %marked = add i64 %letter, 2
  %count.at = getelementptr %Job, ptr %job, i32 0, i32 10
  %count = load i64, ptr %count.at
  br label %ask

ask:
  %worker = phi ptr [ %first, %begin ], [ %next, %one ]
  %asked = phi i64 [ 0, %begin ], [ %asked.now, %one ]
  %owned = phi i64 [ 1, %begin ], [ %owned.now, %one ]
  %none = icmp eq ptr %worker, null
  %enough = icmp eq i64 %asked, %wanted
  %over = or i1 %none, %enough
  br i1 %over, label %asked.all, label %one

one:
  %mail = getelementptr %Worker, ptr %worker, i32 0, i32 7
  %sent = cmpxchg ptr %mail, i64 1, i64 %letter acq_rel monotonic
  %listens = extractvalue { i64, i1 } %sent, 1
  %more = zext i1 %listens to i64
  %asked.now = add i64 %asked, %more
  %record = call i64 @bit.of(ptr %worker, i64 %count)
  %owned.too = or i64 %owned, %record
  %owned.now = select i1 %listens, i64 %owned.too, i64 %owned
  %next.at = getelementptr %Worker, ptr %worker, i32 0, i32 3
  %next = load ptr, ptr %next.at
  br label %ask

asked.all:
  %nobody = icmp eq i64 %asked, 0
  br i1 %nobody, label %alone, label %run

alone:
  ret i32 -1

run:
  %own = call i32 @take.part(ptr %job, i64 0)
  br label %collect

collect:
  %each = phi ptr [ %first, %run ], [ %following, %answered ]
  %late = phi i64 [ 0, %run ], [ %late.now, %answered ]
  %begun = phi i64 [ %owned, %run ], [ %begun.now, %answered ]
  %last = icmp eq ptr %each, null
  br i1 %last, label %done, label %wait

wait:
  %round = phi i64 [ 0, %collect ], [ %after, %busy ]
  %its.mail = getelementptr %Worker, ptr %each, i32 0, i32 7
  %back = cmpxchg ptr %its.mail, i64 %letter, i64 1 acq_rel acquire
  %seen = extractvalue { i64, i1 } %back, 0
  %unread = extractvalue { i64, i1 } %back, 1
  %works = icmp eq i64 %seen, %marked
  br i1 %works, label %busy, label %answered

busy:
  call void @look.away(ptr %pool, i64 %round)
  %after = add i64 %round, 1
  br label %wait

answered:
  %one.late = zext i1 %unread to i64
  %late.now = add i64 %late, %one.late
  %its.record = call i64 @bit.of(ptr %each, i64 %count)
  %all.but.its = xor i64 %its.record, -1
  %less = and i64 %begun, %all.but.its
  %begun.now = select i1 %unread, i64 %less, i64 %begun
  %following.at = getelementptr %Worker, ptr %each, i32 0, i32 3
  %following = load ptr, ptr %following.at
  br label %collect

done:
  %few = icmp ult i64 %count, 64
  %above = shl i64 -1, %count
  %everyone = xor i64 %above, -1
  %complete = icmp eq i64 %begun, %everyone
  %owned.all = select i1 %few, i1 %complete, i1 false
  br i1 %owned.all, label %sum.up, label %sweep

sweep:
  %kept = getelementptr %Job, ptr %job, i32 0, i32 12
  store i64 0, ptr %kept
  %rest = call i32 @take.part(ptr %job, i64 0)
  br label %sum.up

sum.up:
  %of.rest = phi i32 [ 0, %done ], [ %rest, %sweep ]
  %helped = sub i64 %asked, %late
  %helpers = getelementptr %Job, ptr %job, i32 0, i32 6
  store i64 %helped, ptr %helpers
  %failed.at = getelementptr %Job, ptr %job, i32 0, i32 7
  %failed = load atomic i64, ptr %failed.at acquire, align 8
  %failed.word = trunc i64 %failed to i32
  %own.too = or i32 %own, %of.rest
  %result = or i32 %own.too, %failed.word
  ret i32 %result
}

; The bit that stands for the record that a worker begins with; those from the 64th on have none.
define private i64 @bit.of(ptr %worker, i64 %count) nounwind {
  %number.at = getelementptr %Worker, ptr %worker, i32 0, i32 2
  %number = load i64, ptr %number.at
  %record = urem i64 %number, %count
  %bit = shl i64 1, %record
  %has.one = icmp ult i64 %record, 64
  %result = select i1 %has.one, i64 %bit, i64 0
  ret i64 %result
}

; --- what one thread does of a job -----------------------------------------------------------------

; Each thread begins with a launch record of its own, if there are several, so that the same blocks,
; and what they have in the cache, are the same thread's at each launch; then it helps with others.
; It leaves the last claims of a record to its thread (`kept`): a worker that begins half a
; microsecond late would lose one at each launch, and have to fetch what it is to write next time
; (saxpy and exp of 2^16, and a histogram of 2^17, took 5 to 9 % longer).
define private i32 @take.part(ptr %job, i64 %number) nounwind {
begin:
  %entry.at = getelementptr %Job, ptr %job, i32 0, i32 1
  %entry = load ptr, ptr %entry.at
  %packed.at = getelementptr %Job, ptr %job, i32 0, i32 2
  %packed = load ptr, ptr %packed.at
  %launch.at = getelementptr %Job, ptr %job, i32 0, i32 3
  %launch = load ptr, ptr %launch.at
  %count.at = getelementptr %Job, ptr %job, i32 0, i32 10
  %count = load i64, ptr %count.at
  %stride.at = getelementptr %Job, ptr %job, i32 0, i32 11
  %stride = load i64, ptr %stride.at
  %kept.at = getelementptr %Job, ptr %job, i32 0, i32 12
  %kept = load i64, ptr %kept.at
  %first = urem i64 %number, %count
  br label %one

one:
  %done = phi i64 [ 0, %begin ], [ %after, %well ]
  %place = add i64 %first, %done
  %wraps = icmp uge i64 %place, %count
  %less = sub i64 %place, %count
  %index = select i1 %wraps, i64 %less, i64 %place
  %offset = mul i64 %index, %stride
  %record = getelementptr i8, ptr %launch, i64 %offset
  %own = icmp eq i64 %done, 0
  br i1 %own, label %enter.it, label %look.into

look.into:
  %end.at = getelementptr i64, ptr %record, i64 6
  %record.end = load i64, ptr %end.at
  %claim.at = getelementptr i64, ptr %record, i64 7
  %claim = load i64, ptr %claim.at
  %next.at = getelementptr i64, ptr %record, i64 8
  %next = load atomic i64, ptr %next.at monotonic, align 8
  %ahead = mul i64 %kept, %claim
  %from = add i64 %next, %ahead
  %enough = icmp ult i64 %from, %record.end
  br i1 %enough, label %enter.it, label %well

enter.it:
  %status = call i32 %entry(ptr %packed, ptr %record)
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %well, label %failed

failed:
  %single = icmp eq i64 %count, 1
  br i1 %single, label %end, label %stop

well:
  %after = add i64 %done, 1
  %more = icmp ult i64 %after, %count
  br i1 %more, label %one, label %end

stop:                                             ; the others need not go on either
  %i = phi i64 [ 0, %failed ], [ %i.after, %stop ]
  %i.offset = mul i64 %i, %stride
  %i.record = getelementptr i8, ptr %launch, i64 %i.offset
  %i.failed = getelementptr i64, ptr %i.record, i64 9
  store atomic i64 1, ptr %i.failed monotonic, align 8
  %i.after = add i64 %i, 1
  %i.more = icmp ult i64 %i.after, %count
  br i1 %i.more, label %stop, label %end

end:
  %result = phi i32 [ 0, %well ], [ 1, %failed ], [ 1, %stop ]
  ret i32 %result
}

; --- parts ----------------------------------------------------------------------------------------

; Wakes up to `wanted` of the workers that sleep; under the guard.
define private void @wake(ptr %pool, i64 %wanted) nounwind {
begin:
  %idle = getelementptr %Pool, ptr %pool, i32 0, i32 9
  br label %next

next:
  %left = phi i64 [ %wanted, %begin ], [ %fewer, %one ]
  %worker = load ptr, ptr %idle
  %none = icmp eq ptr %worker, null
  %enough = icmp eq i64 %left, 0
  %finished = or i1 %none, %enough
  br i1 %finished, label %end, label %one

one:
  %rest = load ptr, ptr %worker
  store ptr %rest, ptr %idle
  call void @keep.off(ptr %pool, ptr %worker)
  %lock.at = getelementptr %Worker, ptr %worker, i32 0, i32 1
  %lock = load ptr, ptr %lock.at
  call void @release(ptr %pool, ptr %lock)
  %fewer = sub i64 %left, 1
  br label %next

end:
  ret void
}

; Lets a worker that sleeps run on any processor but this one: the launching thread goes on here, and
; systems like to wake a thread on the processor of whoever wakes it and move it milliseconds later.
define private void @keep.off(ptr %pool, ptr %worker) nounwind {
begin:
  %processors = alloca [16 x i64]
  %where.at = getelementptr %Pool, ptr %pool, i32 0, i32 11
  %where = load ptr, ptr %where.at
  %unknown = icmp eq ptr %where, null
  br i1 %unknown, label %end, label %known

known:
  %here = call i32 %where()
  %number = zext i32 %here to i64
  %last.at = getelementptr %Worker, ptr %worker, i32 0, i32 5
  %last = load i64, ptr %last.at
  %same = icmp eq i64 %number, %last
  %beyond = icmp uge i64 %number, 1024
  %nothing = or i1 %same, %beyond
  br i1 %nothing, label %end, label %change

change:
  store i64 %number, ptr %last.at
  %allowed = getelementptr %Pool, ptr %pool, i32 0, i32 13
  %all = load [16 x i64], ptr %allowed
  store [16 x i64] %all, ptr %processors
  %place = lshr i64 %number, 6
  %word.at = getelementptr i64, ptr %processors, i64 %place
  %word = load i64, ptr %word.at
  %bit = and i64 %number, 63
  %own = shl i64 1, %bit
  %others = xor i64 %own, -1
  %rest = and i64 %word, %others
  store i64 %rest, ptr %word.at
  %allow.at = getelementptr %Pool, ptr %pool, i32 0, i32 12
  %allow = load ptr, ptr %allow.at
  %thread.at = getelementptr %Worker, ptr %worker, i32 0, i32 4
  %thread = load i64, ptr %thread.at
  %id = trunc i64 %thread to i32
  %_0 = call i32 %allow(i32 %id, i64 128, ptr %processors)
  br label %end

end:
  ret void
}

define private void @enter(ptr %pool) nounwind {
  %guard = load ptr, ptr %pool
  call void @acquire(ptr %pool, ptr %guard)
  ret void
}

define private void @leave(ptr %pool) nounwind {
  %guard = load ptr, ptr %pool
  call void @release(ptr %pool, ptr %guard)
  ret void
}

define private void @acquire(ptr %pool, ptr %lock) nounwind {
  %at = getelementptr %Pool, ptr %pool, i32 0, i32 1
  %function = load ptr, ptr %at
  %_0 = call i32 %function(ptr %lock, i32 1)
  ret void
}

define private void @release(ptr %pool, ptr %lock) nounwind {
  %at = getelementptr %Pool, ptr %pool, i32 0, i32 2
  %function = load ptr, ptr %at
  call void %function(ptr %lock)
  ret void
}

; Gives the processor away every 32nd time: that takes as long as launches of a few microseconds
; gain by a worker that sees them at once.
define private void @look.away(ptr %pool, i64 %round) nounwind {
begin:
  %turn = and i64 %round, 31
  %now = icmp eq i64 %turn, 31
  br i1 %now, label %yield, label %end

yield:
  call void @yield(ptr %pool)
  br label %end

end:
  ret void
}

define private void @yield(ptr %pool) nounwind {
  %at = getelementptr %Pool, ptr %pool, i32 0, i32 3
  %function = load ptr, ptr %at
  %_0 = call i32 %function()
  ret void
}
