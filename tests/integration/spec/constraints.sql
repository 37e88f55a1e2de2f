-- Referential Integrity
ALTER TABLE "Guardian" ADD CONSTRAINT "Guardian_studentId_fkey"
  FOREIGN KEY ("studentId") REFERENCES "Student"("studentId")
  ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_studentId_courseId_fkey"
  FOREIGN KEY ("studentId", "courseId") REFERENCES "Student"("studentId"), "Course"("courseId")
  ON DELETE RESTRICT ON UPDATE CASCADE;
