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

; guard, acquire(lock, wait), release(lock), yield(), stop; open places in all jobs; jobs, idle,
; workers that do not sleep
%Pool = type { ptr, ptr, ptr, ptr, i64, [3 x i64], i64, [7 x i64], ptr, ptr, i64 }
; next idle worker, lock to sleep on, number from 1 on
%Worker = type { ptr, ptr, i64 }
; next job, entry(packed, launch), its arguments; open places, helpers inside, helpers in all,
; whether one failed, whether the launching thread sleeps, the lock that it sleeps on; launch records
; and bytes from one to the next
%Job = type { ptr, ptr, ptr, ptr, i64, i64, i64, i64, i64, ptr, i64, i64 }

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

; --- a worker: help with jobs until the pool is stopped -------------------------------------------

define void @stepwell_pool_work(ptr %pool, ptr %worker) nounwind {
begin:
  %open = getelementptr %Pool, ptr %pool, i32 0, i32 6
  %stop = getelementptr %Pool, ptr %pool, i32 0, i32 4
  %jobs = getelementptr %Pool, ptr %pool, i32 0, i32 8
  %idle = getelementptr %Pool, ptr %pool, i32 0, i32 9
  %awake = getelementptr %Pool, ptr %pool, i32 0, i32 10
  %_1 = atomicrmw add ptr %awake, i64 1 monotonic
  br label %look

look:
  %round = phi i64 [ 0, %begin ], [ %after, %again ], [ 0, %woken ], [ 0, %missed ], [ 0, %helped ]
  %places = load atomic i64, ptr %open acquire, align 8
  %work = icmp sgt i64 %places, 0
  br i1 %work, label %take, label %again

again:
  call void @look.away(ptr %pool, i64 %round)
  %after = add i64 %round, 1
  %long = icmp eq i64 %after, 64000
  br i1 %long, label %fall.asleep, label %look

fall.asleep:
  call void @enter(ptr %pool)
  %stopped = load i64, ptr %stop
  %over = icmp ne i64 %stopped, 0
  br i1 %over, label %end, label %stay

end:
  %_2 = atomicrmw sub ptr %awake, i64 1 monotonic
  call void @leave(ptr %pool)
  ret void

stay:
  %late = load i64, ptr %open
  %none = icmp eq i64 %late, 0
  br i1 %none, label %asleep, label %missed

missed:
  call void @leave(ptr %pool)
  br label %look

asleep:
  %first = load ptr, ptr %idle
  store ptr %first, ptr %worker
  store ptr %worker, ptr %idle
  %_3 = atomicrmw sub ptr %awake, i64 1 monotonic
  call void @leave(ptr %pool)
  %lock.at = getelementptr %Worker, ptr %worker, i32 0, i32 1
  %lock = load ptr, ptr %lock.at
  call void @acquire(ptr %pool, ptr %lock)
  br label %woken

woken:
  %_4 = atomicrmw add ptr %awake, i64 1 monotonic
  br label %look

take:
  call void @enter(ptr %pool)
  br label %search

search:
  %link = phi ptr [ %jobs, %take ], [ %job, %full ]
  %job = load ptr, ptr %link
  %nothing = icmp eq ptr %job, null
  br i1 %nothing, label %missed, label %candidate

candidate:
  %free.at = getelementptr %Job, ptr %job, i32 0, i32 4
  %free = load i64, ptr %free.at
  %has.place = icmp sgt i64 %free, 0
  br i1 %has.place, label %help, label %full

full:
  br label %search

help:
  %fewer = sub i64 %free, 1
  store i64 %fewer, ptr %free.at
  %_0 = atomicrmw sub ptr %open, i64 1 monotonic
  %running = getelementptr %Job, ptr %job, i32 0, i32 5
  %inside = load i64, ptr %running
  %more = add i64 %inside, 1
  store atomic i64 %more, ptr %running monotonic, align 8
  %count.at = getelementptr %Job, ptr %job, i32 0, i32 6
  %count = load i64, ptr %count.at
  %counted = add i64 %count, 1
  store i64 %counted, ptr %count.at
  call void @leave(ptr %pool)
  %number.at = getelementptr %Worker, ptr %worker, i32 0, i32 2
  %number = load i64, ptr %number.at
  %status = call i32 @take.part(ptr %job, i64 %number)
  call void @enter(ptr %pool)
  %failed.at = getelementptr %Job, ptr %job, i32 0, i32 7
  %failed = load i64, ptr %failed.at
  %status.word = zext i32 %status to i64
  %either = or i64 %failed, %status.word
  store i64 %either, ptr %failed.at
  %sleeps.at = getelementptr %Job, ptr %job, i32 0, i32 8
  %sleeps = load i64, ptr %sleeps.at
  %its.lock.at = getelementptr %Job, ptr %job, i32 0, i32 9
  %its.lock = load ptr, ptr %its.lock.at
  %before = load i64, ptr %running
  %now = sub i64 %before, 1
  store atomic i64 %now, ptr %running release, align 8
  call void @leave(ptr %pool)
  %last = icmp eq i64 %now, 0
  %waits = icmp ne i64 %sleeps, 0
  %wanted = and i1 %last, %waits
  br i1 %wanted, label %wake.launcher, label %helped

wake.launcher:
  call void @release(ptr %pool, ptr %its.lock)
  br label %helped

helped:
  br label %look
}

; --- stop: workers return when they next find nothing to do ---------------------------------------

define void @stepwell_pool_stop(ptr %pool) nounwind {
  call void @enter(ptr %pool)
  %stop = getelementptr %Pool, ptr %pool, i32 0, i32 4
  store i64 1, ptr %stop
  call void @wake(ptr %pool, i64 9223372036854775807)
  call void @leave(ptr %pool)
  ret void
}

; --- what one thread does of a job -----------------------------------------------------------------

; Each thread begins with a launch record of its own, if there are several, so that the same blocks,
; and what they have in the cache, are the same thread's at each launch; then it helps with others.
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
  %lock.at = getelementptr %Worker, ptr %worker, i32 0, i32 1
  %lock = load ptr, ptr %lock.at
  call void @release(ptr %pool, ptr %lock)
  %fewer = sub i64 %left, 1
  br label %next

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
