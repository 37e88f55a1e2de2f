-- Prevent Duplicates
CREATE UNIQUE INDEX "User_username_key" ON "User"(username);
CREATE UNIQUE INDEX "FamilyInfo_studentId_key" ON "FamilyInfo"("studentId");
CREATE UNIQUE INDEX "SchoolYear_schoolYearCode_key" ON "SchoolYear"("schoolYearCode");
CREATE UNIQUE INDEX "Enrollment_studentId_courseId_key" ON "Enrollment"("studentId", "courseId");
