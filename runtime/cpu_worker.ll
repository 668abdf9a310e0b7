; What a worker does all the time; cpu_pool.ll, before this, has the structs and the rest.

; --- a worker: help with jobs until the pool is stopped -------------------------------------------

define void @stepwell_pool_work(ptr %pool, ptr %worker) nounwind {
begin:
  %open = getelementptr %Pool, ptr %pool, i32 0, i32 6
  %stop = getelementptr %Pool, ptr %pool, i32 0, i32 4
  %jobs = getelementptr %Pool, ptr %pool, i32 0, i32 8
  %idle = getelementptr %Pool, ptr %pool, i32 0, i32 9
  %mail = getelementptr %Worker, ptr %worker, i32 0, i32 7
  br label %listen

listen:
  store atomic i64 1, ptr %mail release, align 8
  br label %look

look:
  %round = phi i64 [ 0, %listen ], [ %after, %again ], [ 0, %offered ], [ 0, %take ], [ 0, %tired ]
  %letter = load atomic i64, ptr %mail acquire, align 8
  %empty = icmp eq i64 %letter, 1
  br i1 %empty, label %look.around, label %offered

offered:
  %marked = add i64 %letter, 2
  %mine = cmpxchg ptr %mail, i64 %letter, i64 %marked acq_rel acquire
  %begins = extractvalue { i64, i1 } %mine, 1
  br i1 %begins, label %handed, label %look

handed:
  %handed.job = inttoptr i64 %letter to ptr
  %own.number.at = getelementptr %Worker, ptr %worker, i32 0, i32 2
  %own.number = load i64, ptr %own.number.at
  %handed.status = call i32 @take.part(ptr %handed.job, i64 %own.number)
  %handed.failed.at = getelementptr %Job, ptr %handed.job, i32 0, i32 7
  %handed.word = zext i32 %handed.status to i64
  %_1 = atomicrmw or ptr %handed.failed.at, i64 %handed.word monotonic
  br label %listen

look.around:
  %places = load atomic i64, ptr %open acquire, align 8
  %work = icmp sgt i64 %places, 0
  br i1 %work, label %take, label %again

again:
  call void @look.away(ptr %pool, i64 %round)
  %after = add i64 %round, 1
  %long = icmp eq i64 %after, 64000
  br i1 %long, label %tired, label %look

tired:
  %deaf = cmpxchg ptr %mail, i64 1, i64 0 acq_rel acquire
  %no.mail = extractvalue { i64, i1 } %deaf, 1
  br i1 %no.mail, label %fall.asleep, label %look

fall.asleep:
  call void @enter(ptr %pool)
  %stopped = load i64, ptr %stop
  %over = icmp ne i64 %stopped, 0
  br i1 %over, label %end, label %stay

end:
  call void @leave(ptr %pool)
  ret void

stay:
  %late = load i64, ptr %open
  %none = icmp eq i64 %late, 0
  br i1 %none, label %asleep, label %missed

missed:
  call void @leave(ptr %pool)
  br label %listen

asleep:
  %first = load ptr, ptr %idle
  store ptr %first, ptr %worker
  store ptr %worker, ptr %idle
  call void @leave(ptr %pool)
  %lock.at = getelementptr %Worker, ptr %worker, i32 0, i32 1
  %lock = load ptr, ptr %lock.at
  call void @acquire(ptr %pool, ptr %lock)
  br label %woken

woken:
  br label %listen

take:
  %away = cmpxchg ptr %mail, i64 1, i64 0 acq_rel acquire
  %free.to = extractvalue { i64, i1 } %away, 1
  br i1 %free.to, label %find, label %look

find:
  call void @enter(ptr %pool)
  br label %search

search:
  %link = phi ptr [ %jobs, %find ], [ %job, %full ]
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
  br label %listen
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
